/** Whether to look for a GPU at all. */
import { readdirSync } from "node:fs";

/** What Linux calls GPUs of PCs, of NVIDIA's own driver, of Windows' subsystem, and of phones. */
const NODES = /^(dri|nvidia\d+|dxg|kgsl|mali)/;

/** False only where there is surely none: Dawn would look for a driver and complain on stderr, where nobody asked for a GPU. */
export function mayHaveGpu(): boolean {
  if (process.platform !== "linux") return true;
  try {
    return readdirSync("/dev").some((name) => NODES.test(name));
  } catch {
    return true; // not to be seen from here, as in a sandbox
  }
}
