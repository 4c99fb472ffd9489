/** Milliseconds of processor time that this process has had: a limit on hostile input's cost that other processes do not use up. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
