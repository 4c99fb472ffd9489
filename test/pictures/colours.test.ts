import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { registry } from "../../src/methods/registry.ts";
import { HUES, methodStyles, SCORES } from "../../src/pictures/colours.ts";
import { holds } from "../support/seed.ts";

const names = fc.uniqueArray(fc.oneof(fc.constantFrom(...Object.keys(registry)), fc.string()), { maxLength: 20 });

describe("styles of methods", () => {
  test("differ within a picture", () =>
    holds(names, (methods) => {
      const styles = methodStyles(methods).map((style) => JSON.stringify([style.colour, style.dash]));
      assert.equal(new Set(styles).size, methods.length);
    }));

  test("are the same for a registered method in whatever company and order", () =>
    holds(names, (methods) => {
      const styles = methodStyles(methods);
      methods.forEach((method, i) => {
        if (Object.hasOwn(registry, method)) assert.deepEqual(styles[i], methodStyles([method])[0]);
      });
    }));

  test("need no other method: each alone has one, always the same", () =>
    holds(fc.string(), (method) => assert.deepEqual(methodStyles([method]), methodStyles([method]))));
});

type Triple = readonly [number, number, number];
const triple = (values: readonly number[]): Triple => [values[0] ?? 0, values[1] ?? 0, values[2] ?? 0];
const times = (matrix: readonly Triple[], [x, y, z]: Triple): Triple =>
  triple(matrix.map(([a, b, c]) => a * x + b * y + c * z));

const linear = (hex: string): Triple =>
  triple(
    [1, 3, 5]
      .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)),
  );

/** Dichromats by Machado, Oliveira and Fernandes (2009), severity 1. */
const SIGHTS: Readonly<Record<string, readonly Triple[]>> = {
  everyone: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopes: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopes: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

/** CIE L*a*b* under D65. */
function lab(rgb: Triple): Triple {
  const xyz = times(
    [
      [0.4124, 0.3576, 0.1805],
      [0.2126, 0.7152, 0.0722],
      [0.0193, 0.1192, 0.9505],
    ],
    rgb,
  );
  const [x, y, z] = triple(
    xyz.map((value, i) => {
      const share = Math.max(0, value) / ([0.9505, 1, 1.089][i] ?? 1);
      return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
    }),
  );
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const distance = (a: Triple, b: Triple) => Math.hypot(...a.map((value, i) => value - (b[i] ?? 0)));

for (const [who, matrix] of Object.entries(SIGHTS)) {
  const seen = (hex: string) => lab(times(matrix, linear(hex)));
  describe(`to ${who}`, () => {
    test("the methods' hues are apart", () => {
      for (const a of HUES) for (const b of HUES) assert.ok(a === b || distance(seen(a), seen(b)) > 12, `${a} ${b}`);
    });

    test("scores are: right from wrong, and each step from every other", () => {
      for (const a of SCORES)
        for (const b of SCORES) assert.ok(a === b || distance(seen(a), seen(b)) > 12, `${a} ${b}`);
      assert.ok(distance(seen(SCORES[0]), seen(SCORES[6])) > 40);
    });
  });
}
