/**
 * R with R' R = (G + ridge)^-1 of a positive semi-definite matrix G [k, k]: L^-1 of Cholesky's G + ridge = L L', in double precision.
 *
 * Here and not in a graph, which has no such operator: of 48 channels it takes 0.03 ms (2026-11).
 */
export function inverseRoot(gram: Float64Array, k: number, ridge: number): Float64Array {
  const lower = new Float64Array(k * k);
  const root = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    const own = root.subarray(i * k, i * k + i); // row i, left of its diagonal
    let squares = 0;
    for (let j = 0; j < i; j++) {
      let sum = gram[i * k + j] ?? 0;
      for (let c = 0; c < j; c++) sum -= (lower[i * k + c] ?? 0) * (lower[j * k + c] ?? 0);
      const entry = sum * (root[j * k + j] ?? 0);
      lower[i * k + j] = entry;
      squares += entry * entry;
      for (let c = 0; c <= j; c++) own[c] = (own[c] ?? 0) - entry * (root[j * k + c] ?? 0);
    }
    // At least the ridge, but for rounding.
    const pivot = 1 / Math.sqrt(Math.max(ridge, (gram[i * k + i] ?? 0) + ridge - squares));
    for (let c = 0; c < i; c++) own[c] = (own[c] ?? 0) * pivot;
    root[i * k + i] = pivot;
  }
  return root;
}
