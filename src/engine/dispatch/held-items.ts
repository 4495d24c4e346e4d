/** Does work for an item of a queue, which counts as held meanwhile. */
export type Hold = (item: string, work: () => Promise<void>) => Promise<void>;

/** Keeps which items a worker does; `changed` hears of all of them, for the worker's row in the table of workers. */
export function heldItems(changed: (items: readonly string[]) => void): Hold {
  const held = new Set<string>();
  return async (item, work) => {
    changed([...held.add(item)]);
    try {
      await work();
    } finally {
      held.delete(item);
      changed([...held]);
    }
  };
}
