import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** A turn of the event loop that took longer may have let a connection come behind its back; one in which nothing happens takes some 0.02 ms. */
const QUIET_TURN_MS = 0.1;
/** Under a flood no turn is quiet. */
const TURNS_MAXIMUM = 2_000;
/** For the request of a connection that was opened just before the port closed. */
const SILENCE_MS = 1_000;

/** Closes the port of a server so that no request is lost on the way, and nobody who says nothing holds up the end. */
export class ClosingPort {
  /** Connections without a request under way. */
  private readonly silent = new Set<Socket>();
  private accepted = 0;

  /** @param silenceMs after the port is closed, connections that sent no whole request for so long are cut off */
  constructor(
    private readonly server: Server,
    private readonly silenceMs = SILENCE_MS,
  ) {
    server.on('connection', (socket: Socket) => {
      this.accepted++;
      this.silent.add(socket);
      socket.once('close', () => this.silent.delete(socket));
    });
    server.on('request', ({ socket }: { readonly socket: Socket }, response: ServerResponse) => {
      this.silent.delete(socket);
      response.once('close', () => {
        if (!socket.destroyed) this.silent.add(socket);
      });
    });
  }

  /**
   * Closes the port in a moment when no connection waits to be accepted, then calls `done`: what the router does before it would close the port itself takes turns of
   * the loop in which one may come.
   *
   * The kernel completes connections before the process accepts them, one in each turn of the loop, and resets those that still wait when the port closes:
   * clients that sent a request on them would learn nothing of its fate. So the port closes right after a turn in which none came.
   */
  begin(done: () => void): void {
    const turn = (turnsLeft: number): void => {
      const [acceptedBefore, beganMs] = [this.accepted, performance.now()];
      setImmediate(() => {
        const isQuiet = this.accepted === acceptedBefore && performance.now() - beganMs < QUIET_TURN_MS;
        if (!isQuiet && turnsLeft > 0) return turn(turnsLeft - 1);
        // Only the port: that of HTTP looks through all connections first.
        NetServer.prototype.close.call(this.server);
        this.cutOffSilent();
        done();
      });
    };
    // The rest of the turn that is under way says nothing.
    setImmediate(() => turn(TURNS_MAXIMUM));
  }

  /** Node closes connections that are idle after a request, but not those that have not sent a whole head yet, and it stops looking at its timeouts. */
  private cutOffSilent(): void {
    const timer = setInterval(() => {
      for (const socket of this.silent) socket.destroy();
    }, this.silenceMs);
    this.server.once('close', () => clearInterval(timer));
  }
}
