// node resume.mjs '{"connection": {…}}': lets the workers see what "fill" has left.
import { Queue } from "bullmq";

const { connection } = JSON.parse(process.argv[2]);
const queue = new Queue("peer", { connection });
await queue.resume();
console.log("resumed");
await queue.close();
