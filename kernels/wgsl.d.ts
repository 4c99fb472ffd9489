/** WGSL sources are imported as text, which Bun, its bundler and Deno all do. */
declare module "*.wgsl" {
  const code: string;
  export default code;
}
