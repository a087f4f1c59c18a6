import { DomainError } from '#kernel';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Readable } from 'node:stream';

/** Each holds a socket, and looks at the database now and then. */
const STREAMS_MAXIMUM = 100;

/** Replies that take long: ends them when the process stops, for a server waits for its connections. */
@Injectable()
export class OpenStreams implements OnModuleDestroy {
  private readonly stopping = new AbortController();
  private count = 0;

  onModuleDestroy(): void {
    this.stopping.abort(new Error('the process is stopping'));
  }

  /**
   * Makes a stream of what `produce` yields; the generator is ended when the client goes away.
   *
   * @param produce gets a signal that aborts when the process stops
   * @throws DomainError `jobs.too-many-streams`
   */
  open(produce: (signal: AbortSignal) => AsyncGenerator<string>): Readable {
    if (this.count >= STREAMS_MAXIMUM) throw new DomainError('jobs.too-many-streams');
    this.count++;
    const stream = Readable.from(produce(this.stopping.signal), { objectMode: false, highWaterMark: 65_536 });
    stream.once('close', () => this.count--);
    return stream;
  }
}
