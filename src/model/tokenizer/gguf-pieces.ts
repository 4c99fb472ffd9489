/**
 * SentencePiece BPE in GGUF, `tokenizer.ggml.model` "llama", as in Llama 2 and Mistral 7B: pieces with scores, from which
 * the merges follow; what no piece covers is written in byte tokens.
 */

import { KvError } from "../../error.ts";
import { type GgufVocabulary, idsByToken, type TokenizerKind, tokenType, unsupported } from "./gguf-metadata.ts";

/** SentencePiece's blank, U+2581. */
const blank = "▁";

/** Steps to find the merges, the sum of squared lengths; Llama 2's 32,000 pieces take 2 million. */
const maxWork = 1 << 28;

/** @throws KvError `corrupt_file`, `unsupported_format` (no byte tokens, pieces too long to be merged) */
export function sentencePiece(vocabulary: GgufVocabulary, path: string): TokenizerKind {
  const { tokens, add_space_prefix: prefix = true } = vocabulary;
  const byteTokens = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const all = new Set(tokens);
  const missing = byteTokens.find((token) => !all.has(token));
  if (missing !== undefined) throw unsupported(path, "tokens", `without ${missing}`, "with a token for every byte");
  return {
    normalizer: {
      type: "Sequence",
      normalizers: [
        ...(prefix ? [{ type: "Prepend", prepend: blank }] : []),
        { type: "Replace", pattern: { String: " " }, content: blank },
      ],
    },
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: blank }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      vocab: idsByToken(tokens),
      merges: mergesOf(scoredPieces(vocabulary, path), path),
      byte_fallback: true,
    },
    bos: true,
    specialIds: { bos_token_id: 1, eos_token_id: 2, unknown_token_id: 0 },
  };
}

/** The pieces that merging can make and use, by score. */
function scoredPieces({ tokens, scores, token_type: types }: GgufVocabulary, path: string): Map<string, number> {
  if (scores?.length !== tokens.length) {
    const place = [path, "tokenizer.ggml.scores"];
    const allowed = `${tokens.length}, one for each token`;
    throw new KvError({ code: "corrupt_file", path: place, found: `${scores?.length ?? 0} scores`, allowed });
  }
  const merged: readonly (number | undefined)[] = [tokenType.normal, tokenType.unused, undefined];
  return new Map(tokens.flatMap((token, id) => (merged.includes(types?.[id]) ? [[token, scores[id] ?? 0]] : [])));
}

/**
 * Every way to put a piece together from two others, the piece of the highest score first. Pieces of blanks share one
 * score: of those the longest left part goes first, which is SentencePiece's order (leftmost) for all that can be made.
 */
function mergesOf(pieces: ReadonlyMap<string, number>, path: string): (readonly [string, string])[] {
  const work = [...pieces.keys()].reduce((sum, { length }) => sum + length ** 2, 0);
  if (work > maxWork)
    throw unsupported(path, "tokens", `pieces that take ${work} steps to merge`, `at most ${maxWork}`);
  return [...pieces]
    .flatMap(([piece, score]) => splits(piece, pieces).map(([left, right]) => ({ left, right, score })))
    .sort((a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length)
    .map(({ left, right }) => [left, right]);
}

function splits(piece: string, pieces: ReadonlyMap<string, number>): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 1; at < piece.length; at++) {
    const [left, right] = [piece.slice(0, at), piece.slice(at)];
    if (pieces.has(left) && pieces.has(right)) found.push([left, right]);
  }
  return found;
}
