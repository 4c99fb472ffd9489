import type { Method } from "./method.ts";

/**
 * A method whose kept keys move together, as if the evicted tokens had never been: each key is turned back by RoPE from its true
 * position to its position within the cache, and decoding goes on after the last. `cache.length` is then the next position in the
 * cache and no longer the prompt's length, so a stream or a long document may outlast the model's context.
 *
 * Layers and heads that keep different counts are packed against their common end: where the largest keeps m entries, one with c
 * has positions m - c .. m - 1, and the next token stands at m in all. A sliding window counts these positions. A prompt that
 * fits the budget is left as it is.
 *
 * @formula with kept positions j_0 < .. < j_(c-1): k_i <- R(m - c + i - j_i) k_i, where R(t) turns a key by t positions.
 * @cost One rotation of every kept key.
 * @memory That of the method.
 * @helps Models that were not made for the distances in a long prompt; it loses how far apart kept tokens were.
 *   Within SmolLM2-135M's context no difference that 12 needles and 12 few-shot questions could show (2026-11).
 * @see https://arxiv.org/abs/2309.17453 section 3.2, https://arxiv.org/abs/2408.00167 (FINCH); kvpress packs heads from position 0
 */
export const packed = (method: Method): Method => ({
  ...method,
  name: `packed(${method.name})`,
  options: { ...method.options, packed: true },
  packed: true,
});
