// node worker.mjs '{"connection": {…}, "concurrency": N, "url": …}': works until it is terminated.
// With a "url", each job fetches it; Node's fetch keeps its connections for the next ones.
import { Worker } from "bullmq";

const { connection, concurrency, url } = JSON.parse(process.argv[2]);
async function request() {
  const answer = await fetch(url);
  const body = await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return body.byteLength;
}

const worker = new Worker("peer", url ? request : async () => null, {
  connection: { ...connection, maxRetriesPerRequest: null },
  concurrency,
});
await worker.waitUntilReady();
console.log("ready");
process.on("SIGTERM", async () => {
  await worker.close();
  process.exit(0);
});
