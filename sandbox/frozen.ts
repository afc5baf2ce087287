// What several sandboxes share must not change: whoever tries is told by a TypeError.
const through = new WeakSet<object>();

/** The value itself, from now on unchangeable in all its depth. For JSON. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || through.has(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  through.add(value);
  return Object.freeze(value);
}

/** Whether it can be relied on never to change, in all its depth. */
export const isFrozenThrough = (value: object): boolean => through.has(value);
