/** Measures side by side: short slices of each in turn, so that what disturbs the machine disturbs all alike. */

/** Every contender's slices. In some rounds before the counted ones the runtimes warm up. */
export async function alternate<T>(
  rounds: number,
  contenders: ReadonlyMap<string, () => Promise<T>>,
): Promise<Map<string, T[]>> {
  const slices = new Map<string, T[]>([...contenders.keys()].map((name) => [name, []]));
  const warmUp = Math.ceil(rounds / 3);
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const [name, slice] of contenders) {
      const value = await slice();
      if (round >= warmUp) slices.get(name)?.push(value);
    }
  }
  return slices;
}

/** The median of each number in the slices. */
export function medians<T extends Readonly<Record<string, number>>>(slices: readonly T[]): T {
  const names = Object.keys(slices[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(slices.map((slice) => slice[name] ?? Number.NaN))]),
  ) as T;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
