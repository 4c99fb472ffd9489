/** Angles and what lies between directions, by what a plane says of them. */
import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { angleBetween, norm, slerp } from "../../../src/cache/compact/slerp.ts";
import { normal, uniform } from "../../support/random.ts";
import { holds } from "../../support/seed.ts";

const trials = fc.record({
  d: fc.integer({ min: 2, max: 64 }),
  angle: fc.oneof(fc.double({ min: 0, max: 3.1, noNaN: true }), fc.constantFrom(0, 1e-5, 1e-3, Math.PI / 2, Math.PI)),
  lengths: fc.tuple(fc.constantFrom(1e-3, 1, 40), fc.constantFrom(1e-3, 1, 40)),
  t: fc.constantFrom(0, 0.25, 0.6, 1),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

/** Vectors of these lengths with this angle between them, in a plane that lies anyhow. */
function vectors({ d, angle, lengths: [ofA, ofB], seed }: Trial): readonly [Float32Array, Float32Array] {
  const next = uniform(seed);
  const unit = (x: Float32Array) => x.map((each) => each / norm(x));
  const first = unit(normal(next, d));
  const other = normal(next, d);
  const along = other.reduce((sum, x, c) => sum + x * (first[c] ?? 0), 0);
  const second = unit(other.map((x, c) => x - along * (first[c] ?? 0)));
  const turned = first.map((x, c) => Math.cos(angle) * x + Math.sin(angle) * (second[c] ?? 0));
  return [first.map((x) => ofA * x), turned.map((x) => ofB * x)];
}

describe("an angle", () => {
  test("is what the vectors were turned by, small ones too", () =>
    holds(trials, (trial) => {
      const [a, b] = vectors(trial);
      assert.ok(Math.abs(angleBetween(a, b) - trial.angle) < 1e-6);
    }));

  test("of a vector with itself is 0, with its opposite pi, and pi with one of zeros", () => {
    const a = Float32Array.of(0.3, -2, 7);
    expect(angleBetween(a, a)).toBe(0);
    expect(
      angleBetween(
        a,
        a.map((x) => -x),
      ),
    ).toBe(Math.PI);
    expect(angleBetween(a, new Float32Array(3))).toBe(Math.PI);
    expect(angleBetween(new Float32Array(3), new Float32Array(3))).toBe(Math.PI);
  });
});

describe("what lies between", () => {
  test("has length 1, and its share of the angle to either side", () =>
    holds(trials, (trial) => {
      if (trial.angle > 3.1) return;
      const [a, b] = vectors(trial);
      const between = slerp(a, b, angleBetween(a, b), trial.t);
      assert.ok(Math.abs(norm(between) - 1) < 1e-5);
      assert.ok(Math.abs(angleBetween(a, between) - trial.t * trial.angle) < 1e-5);
      assert.ok(Math.abs(angleBetween(between, b) - (1 - trial.t) * trial.angle) < 1e-5);
    }));

  test("two equal directions is that direction", () => {
    const a = Float32Array.of(0, 3, 4);
    expect(slerp(a, a, 0, 0.6)).toEqual(Float32Array.of(0, 0.6, 0.8));
  });
});
