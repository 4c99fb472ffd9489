/** The rows of a comparison as two tables: logits, and answers. */
import Table from "cli-table3";
import type { Provenance } from "../../src/index.ts";
import type { Row } from "./compare.ts";

const plain = { style: { head: [], border: [] }, chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" } };
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const small = (value: number) => (value === 0 ? "0" : value.toPrecision(3));

export function report(rows: readonly Row[], reference: Provenance, other: Provenance): string {
  const logits = new Table({
    ...plain,
    head: ["logits", "positions", "RMS", "KL mean", "KL 99 %", "same top token", "kept alike"],
  });
  const answers = new Table({
    ...plain,
    head: ["answers", "method", "of", reference.precision, other.precision, "flipped", "changed"],
  });
  for (const row of rows) {
    if (row.kind === "logits") {
      const { what, positions, rms, kl, kl99, agreement, kept } = row;
      const figures = [String(positions), small(rms), small(kl), small(kl99), percent(agreement)];
      logits.push([what, ...figures, kept === null ? "" : percent(kept)]);
    } else {
      const { task, method, examples, right, flipped, changed } = row;
      answers.push([task, method, ...[examples, ...right, flipped, changed].map(String)]);
    }
  }
  const versions = Object.entries(other.versions).map(([name, version]) => `${name} ${version}`);
  return [
    logits.toString(),
    `RMS over positions and vocabulary; KL in nats, ${other.precision} from ${reference.precision}; kept alike: entries that both keep`,
    answers.toString(),
    "right answers of each; flipped: one right and the other wrong; changed: any other text. Greedy; every answer's first token is decoded on the cache",
    `${reference.model}, weights ${reference.weights}, ${reference.threads} threads, ${versions.join(", ")}`,
  ].join("\n");
}
