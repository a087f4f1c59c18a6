/**
 * What the proxy does to everybody.
 *
 * - `pass`: forwards at once
 * - `refuse`: does not listen; what is open is reset
 * - `reset`: takes connections and resets them at once; what is open is reset
 * - `stall`: says nothing and reads nothing, as a network that swallows packets; what was under way arrives late when the mode changes
 * - `delay`: every piece of data is late by `ms`, and by up to `jitterMs` more; order is kept
 * - `throttle`: at most so many bytes a second and direction of a connection
 */
export type TcpProxyMode =
  | { readonly kind: 'pass' }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'stall' }
  | { readonly kind: 'delay'; readonly ms: number; readonly jitterMs?: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number };

/**
 * What happens to one exchange.
 *
 * - `drop-reply`: the request reaches the server, which applies it; its reply is swallowed and the connection reset
 * - `cut-reply`: as many bytes of the reply's first piece get through, but never all of them, then the connection ends
 * - `reset`: the request is not forwarded and the connection reset
 */
export type TcpExchangeFault =
  { readonly kind: 'drop-reply' } | { readonly kind: 'cut-reply'; readonly afterBytes: number } | { readonly kind: 'reset' };

export interface TcpFaultSelection {
  /** Judges a piece of what a client sends; the exchange that it begins is hit. Default: the next piece of anything. */
  readonly on?: (request: Buffer) => boolean;
  /** How many exchanges are hit. Default 1. */
  readonly times?: number;
}

/** A fault of exchanges in place. */
export interface InjectedTcpFault {
  /** Resolves when the first exchange has been hit, its end included. */
  readonly met: Promise<void>;
  /** Exchanges that were hit so far. */
  readonly hits: number;
  /** Hits nobody any more. */
  cancel(): void;
}
