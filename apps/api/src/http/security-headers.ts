import type { FastifyHelmetOptions } from '@fastify/helmet';

/**
 * What a browser is told about every reply. The policy fits /docs, the only page: its scripts, style sheet and pictures are files of this service. Its
 * styles are also written into the page, which has no secret that a style could read; scripts are not, so none that is smuggled into a text runs.
 *
 * No Strict-Transport-Security: this process speaks plain HTTP, over which browsers must ignore it. Whoever ends TLS in front of it sends that header.
 */
export const SECURITY_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  frameguard: { action: 'deny' },
  hsts: false,
};
