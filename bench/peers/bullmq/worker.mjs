// node worker.mjs '{"connection": {…}, "concurrency": N}': works until it is terminated.
import { Worker } from "bullmq";

const { connection, concurrency } = JSON.parse(process.argv[2]);
const worker = new Worker("peer", async () => null, {
  connection: { ...connection, maxRetriesPerRequest: null },
  concurrency,
});
await worker.waitUntilReady();
console.log("ready");
process.on("SIGTERM", async () => {
  await worker.close();
  process.exit(0);
});
