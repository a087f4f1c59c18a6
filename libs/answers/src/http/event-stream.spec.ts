import { DomainError } from '#kernel';
import { Logger } from '@nestjs/common';
import { eventStream, wantsEvents } from './event-stream.js';

const textOf = async (stream: ReturnType<typeof eventStream>): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
};

describe('eventStream', () => {
  it('sends each event in a line of its own, whatever is in it', async () => {
    const stream = eventStream(async (send) => {
      send('delta', { text: 'a\nb\r\n\n: event: x' });
      send('answer', { text: '🪵' });
    });
    expect(await textOf(stream)).toBe('event: delta\ndata: {"text":"a\\nb\\r\\n\\n: event: x"}\n\nevent: answer\ndata: {"text":"🪵"}\n\n');
  });

  it('says now and then that it is still there', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stream = eventStream(() => promise, 1);
    const parts: string[] = [];
    for await (const part of stream) {
      parts.push(String(part));
      if (parts.join('').split('\n\n').length > 3) resolve();
    }
    expect(parts.join('')).toMatch(/^(: still here\n\n){3,}$/);
  });

  it('ends with the reason when it fails, without what people must not see', async () => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const busy = eventStream(() => Promise.reject(new DomainError('database.busy')));
    expect(await textOf(busy)).toContain('event: error\ndata: {"type":"urn:kindred:error:database.busy","code":"database.busy"');
    const broken = await textOf(eventStream(() => Promise.reject(new TypeError('secret'))));
    expect(broken).toContain('"code":"internal.error"');
    expect(broken).not.toContain('secret');
  });

  it('calls the work off when the client leaves, and drops what comes behind', async () => {
    const { promise, resolve } = Promise.withResolvers<AbortSignal>();
    const stream = eventStream(async (send, signal) => {
      await new Promise((left) => signal.addEventListener('abort', left));
      send('late', {});
      resolve(signal);
      throw new Error('nobody hears it');
    });
    stream.destroy();
    expect((await promise).aborted).toBe(true);
  });
});

describe('wantsEvents', () => {
  it.each([
    [undefined, false],
    ['*/*', false],
    ['application/json', false],
    ['text/event-stream', true],
    ['Text/Event-Stream; charset=utf-8', true],
    ['text/event-stream;q=0', false],
    ['application/json, text/event-stream;q=0.5', false],
    ['text/event-stream, application/json;q=0.9', true],
    ['text/html', false],
    ['*/*, text/event-stream;q=0.1', false],
    ['text/event-stream, */*', false],
    ['text/event-stream, application/json', false],
    ['text/event-stream, application/*;q=0.5', true],
    ['text/event-stream, application/*;q=0.5, application/json', false],
    ['text/event-stream;q=0.5, */*;q=0.1', true],
    ['text/event-stream;q=0.5, */*;q=0.8, application/json;q=0.2', true],
    ['text/event-stream, application/json;q=0', true],
    ['text/event-stream;q=0, */*', false],
    ['text/*', true],
    ['text/*;q=0.4, application/json;q=0.3', true],
    ['text/event-stream;q=x, */*;q=0.5', false],
  ])('%j: %s', (accept, wanted) => expect(wantsEvents(accept)).toBe(wanted));
});
