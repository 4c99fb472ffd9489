/** What a kernel gives, beside what plain loops give. */
import assert from "node:assert/strict";
import type { Tensor } from "../../../kernels/tensor.ts";
import { maxDifference } from "../../support/golden.ts";

/** @param tolerance absolute */
export function assertClose(found: Tensor, expected: Tensor, tolerance: number): void {
  assert.deepEqual(found.dims, expected.dims);
  const furthest = maxDifference(found.data, expected.data);
  assert.ok(furthest <= tolerance, `differs by ${furthest}`);
}
