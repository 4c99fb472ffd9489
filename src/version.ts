/** This package's own version, as its package.json has it. */
import manifest from "../package.json" with { type: "json" };

export const version: string = manifest.version;
