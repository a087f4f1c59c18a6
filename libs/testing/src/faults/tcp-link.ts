import { connect, type Socket } from 'node:net';
import type { PendingTcpFault, TcpExchangeFaults } from './tcp-exchange-faults.js';
import type { TcpProxyMode } from './tcp-proxy-mode.js';

const MS_PER_SECOND = 1_000;

export interface TcpLinkContext {
  target(): { readonly host: string; readonly port: number };
  readonly faults: TcpExchangeFaults;
  mode(): TcpProxyMode;
  /** Resolves when the proxy no longer stalls. */
  untilFlowing(): Promise<void>;
  random(): number;
  onClosed(link: TcpLink): void;
  onBytes(direction: 'request' | 'reply', count: number): void;
}

/** One connection through the proxy: both halves, what is on its way, and the fault of the exchange under way. */
export class TcpLink {
  private readonly server: Socket;
  private pending: PendingTcpFault | null = null;
  private isCutDue = false;
  private isClosed = false;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly client: Socket,
    private readonly context: TcpLinkContext,
  ) {
    this.server = connect({ ...context.target(), noDelay: true });
    client.setNoDelay(true);
    void this.forward(client, this.server, 'request');
    void this.forward(this.server, client, 'reply');
    for (const socket of [client, this.server]) {
      socket.on('error', () => this.reset());
      socket.on('close', () => this.close());
    }
  }

  /** Ends both halves at once, as a crash or a firewall would. */
  reset(): void {
    if (this.isClosed) return;
    resetSocket(this.client);
    resetSocket(this.server);
    this.close();
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    // The exchange ended by itself: the fault is for somebody else.
    this.pending?.giveBack();
    this.pending = null;
    for (const timer of this.timers) clearTimeout(timer);
    this.client.destroy();
    this.server.destroy();
    this.context.onClosed(this);
  }

  private async forward(from: Socket, to: Socket, direction: 'request' | 'reply'): Promise<void> {
    try {
      for await (const piece of from) {
        await this.hold();
        const bytes = direction === 'request' ? this.judgeRequest(piece as Buffer) : this.judgeReply(piece as Buffer);
        if (bytes === null || this.isClosed || to.writableEnded) return;
        if (bytes.length > 0) await this.pace(bytes.length);
        if (this.isClosed) return;
        this.context.onBytes(direction, bytes.length);
        if (bytes.length > 0 && !to.write(bytes)) await new Promise<void>((resolve) => to.once('drain', resolve).once('close', resolve));
        if (direction === 'reply') this.cutWhenDue();
      }
      // One half is done; the other may still have something to say.
      to.end();
    } catch {
      this.reset();
    }
  }

  /** Waits while the proxy stalls. */
  private async hold(): Promise<void> {
    while (!this.isClosed && this.context.mode().kind === 'stall') await this.context.untilFlowing();
  }

  /** Waits as long as the mode asks for; the next piece of the direction waits behind this one, so order is kept. */
  private async pace(bytes: number): Promise<void> {
    const mode = this.context.mode();
    if (mode.kind === 'delay') await this.wait(mode.ms + (mode.jitterMs ?? 0) * this.context.random());
    if (mode.kind === 'throttle') await this.wait((bytes / mode.bytesPerSecond) * MS_PER_SECOND);
  }

  private wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, durationMs);
      this.timers.add(timer);
    });
  }

  /** What of a request is forwarded; `null` = the connection is gone. */
  private judgeRequest(piece: Buffer): Buffer | null {
    this.pending ??= this.context.faults.take(piece);
    if (this.pending?.fault.kind !== 'reset') return piece;
    this.finishFault();
    return null;
  }

  /** What of a reply is forwarded; `null` = the connection is gone. */
  private judgeReply(piece: Buffer): Buffer | null {
    const fault = this.pending?.fault;
    if (fault === undefined) return piece;
    if (fault.kind === 'drop-reply') {
      this.finishFault();
      return null;
    }
    if (fault.kind !== 'cut-reply') return piece;
    this.isCutDue = true;
    return piece.subarray(0, Math.min(fault.afterBytes, piece.length - 1));
  }

  /** After the last byte that may pass has been written. */
  private cutWhenDue(): void {
    if (!this.isCutDue) return;
    this.isCutDue = false;
    const { done } = this.pending!;
    this.pending = null;
    // An orderly end, not a reset: a reset could overtake the bytes that the other side has not read yet.
    this.client.once('finish', () => this.close()).once('close', done);
    this.client.end();
  }

  private finishFault(): void {
    const { done } = this.pending!;
    this.pending = null;
    this.reset();
    done();
  }
}

/** A socket that has been ended must not be reset as well: Node would never let go of its handle, and the process would spin at its end. */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded || socket.destroyed || socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
