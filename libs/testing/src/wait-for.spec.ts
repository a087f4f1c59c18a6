import { waitFor } from './wait-for.js';

describe('waitFor', () => {
  it('gives what the condition gives once that is truthy', async () => {
    const looks = [null, 0, '', false, { id: 7 }];
    expect(await waitFor(() => looks.shift(), { what: 'a row', intervalMs: 0 })).toEqual({ id: 7 });
    expect(looks).toEqual([]);
  });

  it('takes a look that throws for "not yet"', async () => {
    let looks = 0;
    const value = await waitFor(
      () => {
        looks += 1;
        if (looks < 3) throw new Error('not yet');
        return Promise.resolve(looks);
      },
      { what: 'the third look', intervalMs: 0 },
    );
    expect(value).toBe(3);
  });

  it('names what did not come, with the last failure', async () => {
    const cause = new Error('still down');
    await expect(waitFor(() => Promise.reject(cause), { what: 'the server answers', timeoutMs: 5, intervalMs: 0 })).rejects.toMatchObject({
      message: 'the server answers: not so within 5 ms',
      cause,
    });
  });
});
