// node queueing.mjs '{"connection": {…}, "mode": "addBulk" | "retryJobs" | "fill", "count": N}'
// prints one line of JSON: {"seconds": …}. "fill" leaves a paused queue behind, for the workers.
import { Queue } from "bullmq";
import Redis from "ioredis";

const CHUNK = 1000;
const { connection, mode, count } = JSON.parse(process.argv[2]);
const redis = new Redis(connection);
await redis.flushdb();
const queue = new Queue("peer", { connection });
await queue.waitUntilReady();
if (mode === "fill") await queue.pause();

async function addAll() {
  for (let first = 0; first < count; first += CHUNK) {
    const jobs = [];
    for (let number = first; number < Math.min(first + CHUNK, count); number += 1) {
      jobs.push({ name: "noop", data: { number } });
    }
    await queue.addBulk(jobs);
  }
}

// As if every one of them had failed.
async function failAll() {
  const ids = await redis.lrange("bull:peer:wait", 0, -1);
  await redis.del("bull:peer:wait");
  for (let first = 0; first < ids.length; first += CHUNK) {
    const some = ids.slice(first, first + CHUNK);
    const failed = { failedReason: "HTTP 503", stacktrace: '["Error: HTTP 503"]', atm: 1 };
    const pipe = redis.pipeline();
    for (const id of some) {
      pipe.hset(`bull:peer:${id}`, { ...failed, processedOn: Date.now(), finishedOn: Date.now() });
    }
    pipe.zadd("bull:peer:failed", ...some.flatMap((id) => [Date.now(), id]));
    await pipe.exec();
  }
}

if (mode === "retryJobs") {
  await addAll();
  await failAll();
}
const begin = performance.now();
if (mode === "retryJobs") await queue.retryJobs({ state: "failed", count: CHUNK });
else await addAll();
const seconds = (performance.now() - begin) / 1000;
const counts = await queue.getJobCounts("wait", "paused");
if (counts.wait + counts.paused !== count) throw new Error(JSON.stringify(counts));
console.log(JSON.stringify({ seconds }));
await queue.close();
redis.disconnect();
