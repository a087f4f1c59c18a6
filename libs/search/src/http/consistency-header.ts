import { CONSISTENCY_TOKEN_HEADER } from '#sync';

/** The request header of every search. @param example a token of the source that is searched */
export function consistencyHeaderOf(example: string) {
  return {
    name: CONSISTENCY_TOKEN_HEADER,
    required: false,
    description:
      'Token of a write that the answer should show, as the write answered it; the same as consistency_token. See wait_ms and freshness',
    schema: { type: 'string' },
    example,
  } as const;
}
