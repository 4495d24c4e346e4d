/** Opens things when they are first asked for, and closes them in the opposite order. */
export interface Lifetime {
  /** The same value at every call. */
  once<Value>(open: () => Promise<Value>): () => Promise<Value>;
  /** As `once`, closed at the end. */
  closing<Value extends { close(): Promise<void> }>(open: () => Promise<Value>): () => Promise<Value>;
  /** As `once`, disposed of at the end where it can be. */
  service<Value extends object>(open: () => Promise<Value | (Value & AsyncDisposable)>): () => Promise<Value>;
  /** Safe to call twice. */
  end(): Promise<void>;
}

/** A lifetime in which nothing is open yet. */
export function newLifetime(): Lifetime {
  const opened: { close(): Promise<void> }[] = [];
  const once = <Value>(open: () => Promise<Value>): (() => Promise<Value>) => {
    let value: Promise<Value> | null = null;
    return () => (value ??= open());
  };
  return {
    once,
    closing: (open) =>
      once(async () => {
        const value = await open();
        opened.push(value);
        return value;
      }),
    service: <Value extends object>(open: () => Promise<Value | (Value & AsyncDisposable)>) =>
      once(async (): Promise<Value> => {
        const value = await open();
        if (Symbol.asyncDispose in value) opened.push({ close: async () => value[Symbol.asyncDispose]() });
        return value;
      }),
    async end() {
      for (const one of opened.splice(0).toReversed()) await one.close();
    },
  };
}
