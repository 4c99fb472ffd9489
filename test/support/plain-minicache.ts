/** MiniCache by its definition (arXiv 2405.14366, section 4), plainly: what the entries of a cache in fp32 stand for once layers share them. */

import { copyTail } from "../../src/cache/tail.ts";
import { KvCache as Cache, type KvCache, type MiniCacheOptions } from "../../src/index.ts";

type Rows = readonly (readonly number[])[];

export interface Restated {
  /** In fp32, with every merged entry as both layers' shared direction gives it back. */
  readonly cache: KvCache;
  /** Positions that are merged: [pair][kvHead], a pair being known by its lower layer. */
  readonly merged: ReadonlyMap<number, readonly (readonly number[])[]>;
}

/** @param origins in the text of each head's entries, where those are packed */
export function restated(
  cache: KvCache,
  pairs: readonly number[],
  { interpolation = 0.6, retention = 0.05, recent = 32 }: MiniCacheOptions,
): Restated {
  const { model, geometry, length, logits, tail } = cache;
  const { kvHeads, headDim } = geometry;
  const layers = cache.layers.map((of) => ({ ...of, keys: of.keys.slice(), values: of.values.slice() }));
  const merged = new Map<number, (readonly number[])[]>();
  for (const lower of pairs) {
    const ofHeads: number[][] = [];
    for (let head = 0; head < kvHeads; head++) {
      const sides = [lower, lower + 1].map((layer) => {
        const [from = 0, to = 0] = layers[layer]?.offsets.subarray(head, head + 2) ?? [];
        const positions = [...(layers[layer]?.positions.subarray(from, to) ?? [])];
        const origins = [...cache.origins(layer, head)];
        return new Map(
          positions.slice(0, Math.max(0, to - from - recent)).map((at, i) => [`${at} ${origins[i]}`, from + i]),
        );
      });
      const both = [...(sides[0] ?? [])].flatMap(([at, row]) => {
        const above = sides[1]?.get(at);
        return above === undefined ? [] : [{ position: Number(at.split(" ")[0]), rows: [row, above] as const }];
      });
      const vectors = (part: "keys" | "values", rows: readonly [number, number]): Rows =>
        rows.map((row, side) => [...(layers[lower + side]?.[part].slice(row * headDim, (row + 1) * headDim) ?? [])]);
      const angles = (part: "keys" | "values") => both.map(({ rows }) => angle(vectors(part, rows)));
      const stays = [angles("keys"), angles("values")].map((of) => {
        const [least, most] = [Math.min(...of), Math.max(...of)];
        return of.map((each) => retention === 1 || each > most - (most - least) * retention);
      });
      const chosen = both.filter((_, i) => !stays.some((ofPart) => ofPart[i]));
      for (const { rows } of chosen)
        for (const part of ["keys", "values"] as const)
          for (const [side, restored] of shared(vectors(part, rows), interpolation).entries())
            layers[lower + side]?.[part].set(restored, (rows[side] ?? 0) * headDim);
      ofHeads.push(chosen.map(({ position }) => position));
    }
    merged.set(lower, ofHeads);
  }
  return { cache: new Cache({ model, geometry, layers, length, logits, tail: copyTail(tail) }), merged };
}

const length = (x: readonly number[]) => Math.hypot(...x);
const unit = (x: readonly number[]) => x.map((each) => each / length(x));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
const angle = ([a = [], b = []]: Rows) => Math.acos(Math.max(-1, Math.min(1, dot(unit(a), unit(b)))));

/** Both vectors with their direction replaced by the one that they share. */
function shared([a = [], b = []]: Rows, t: number): Rows {
  const [between, from, to] = [angle([a, b]), unit(a), unit(b)];
  const direction = from.map((x, c) =>
    between < 1e-6 ? x : (Math.sin((1 - t) * between) * x + Math.sin(t * between) * (to[c] ?? 0)) / Math.sin(between),
  );
  return [a, b].map((x) => direction.map((each) => each * length(x)));
}
