/** A worker of a sweep on a small random model: `sweep-process.ts REDIS NAME`, until it is killed. It says when it begins a job. */
import { type Job, type Outcome, sweepRunner, worker } from "../../src/evaluate/index.ts";
import { letterModel, letterPairs } from "./letter-task.ts";

const [redis = "", name = ""] = process.argv.slice(2);
const run = sweepRunner({ model: await letterModel(), methods: letterPairs });
await worker<Job, Outcome>({
  redis,
  name,
  silence: 1000,
  run: async (job, signal) => {
    console.log("begins");
    // Long enough to be killed in.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return await run(job, signal);
  },
});
