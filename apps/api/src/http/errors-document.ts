import { ERROR_CODES, type ErrorDefinition } from '#kernel';
import { STATUS_OF_KIND } from './status-of-kind.js';

const HEAD = `# Errors

<!-- Generated from libs/kernel/src/error-codes.ts; change that table and run \`npm run errors\`. -->

Every error is \`application/problem+json\` (RFC 9457) with \`type\`, \`title\`, \`status\`, \`detail\`, \`instance\`, \`code\`, \`request_id\`, \`retryable\` and, when
fields were refused, \`errors\` (\`pointer\`, \`code\`, \`detail\`). Branch on \`code\` (or \`type\`, which is \`urn:kindred:error:<code>\`), never on texts.
429 and 503 carry \`Retry-After\`.

| code | status | title | retry | meaning |
|---|---|---|---|---|
`;

/** Renders docs/errors.md: one row per code of the table, in its order. */
export function errorsDocument(): string {
  const rows = Object.entries<ErrorDefinition>(ERROR_CODES).map(
    ([code, { kind, title, retryable, meaning }]) =>
      `| \`${code}\` | ${STATUS_OF_KIND[kind]} | ${cell(title)} | ${retryable ? 'yes' : 'no'} | ${cell(meaning)} |`,
  );
  return `${HEAD}${rows.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
