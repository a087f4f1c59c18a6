/**
 * Options of Node for a process of the service; `npm start`, `npm run worker` and the image have the same.
 *
 * Without a bound, V8 lets the space of young objects grow to 128 MiB per thread when much is allocated, as in an import, and keeps it; with one of 16 MiB for each
 * half an import of 10,000 documents takes as long, and the process stays some 100 MiB smaller.
 */
export const RUNTIME_OPTIONS: readonly string[] = ['--max-semi-space-size=16'];
