/** Runs `clients` beside `work`, and lets them come to rest when it has ended, however it ended; resolves with what the work resolves with. */
export async function during<T>(clients: readonly ((signal: AbortSignal) => Promise<unknown>)[], work: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const running = Promise.all(clients.map((client) => client(ended.signal)));
  // Whatever it is, it is thrown when the work has ended.
  running.catch(() => undefined);
  try {
    return await work();
  } finally {
    ended.abort();
    await running;
  }
}
