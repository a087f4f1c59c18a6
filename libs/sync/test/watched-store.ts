import type { VectorStore } from '#vector-store';

/** One call of a store. */
export interface WatchedCall {
  readonly kind: 'ping' | 'upsert' | 'delete' | 'retrieve';
  /** Points of a write. */
  readonly size: number;
  readonly ids: readonly string[];
  readonly startedAtMs: number;
  /** Infinite while it is under way. */
  endedAtMs: number;
  hasFailed: boolean;
}

const KINDS: ReadonlySet<PropertyKey> = new Set(['ping', 'upsert', 'delete', 'retrieve']);

const idOf = (point: unknown): string => (typeof point === 'string' ? point : (point as { id: string }).id);

/** The same store, with a log of the calls that go through this view of it. */
export function watchStore(store: VectorStore): { readonly store: VectorStore; readonly calls: WatchedCall[] } {
  const calls: WatchedCall[] = [];
  const proxy = new Proxy(store, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      if (!KINDS.has(key)) return member.bind(target) as unknown;
      return async (...args: unknown[]): Promise<unknown> => {
        const points = key === 'ping' ? [] : (args[1] as readonly unknown[]);
        const call: WatchedCall = {
          kind: key as WatchedCall['kind'],
          size: points.length,
          ids: points.map(idOf),
          startedAtMs: performance.now(),
          endedAtMs: Number.POSITIVE_INFINITY,
          hasFailed: false,
        };
        calls.push(call);
        try {
          return await (member.apply(target, args) as Promise<unknown>);
        } catch (error) {
          call.hasFailed = true;
          throw error;
        } finally {
          call.endedAtMs = performance.now();
        }
      };
    },
  });
  return { store: proxy, calls };
}
