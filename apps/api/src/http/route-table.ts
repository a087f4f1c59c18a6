/** A route as it was registered. */
export interface LiveRoute {
  readonly method: string;
  /** Fastify's pattern, for example `/api/v1/projects/:id`. */
  readonly url: string;
}

/** Remembers every registered route, so that "no such path" and "no such method" can be told apart; Fastify answers both alike. */
export class RouteTable {
  private readonly methodsByUrl = new Map<string, Set<string>>();
  private matchers: { readonly pattern: RegExp; readonly methods: ReadonlySet<string> }[] | null = null;

  add(methods: string | readonly string[], url: string): void {
    const known = this.methodsByUrl.get(url) ?? new Set();
    for (const method of typeof methods === 'string' ? [methods] : methods) known.add(method.toUpperCase());
    this.methodsByUrl.set(url, known);
    this.matchers = null;
  }

  /** All routes, HEAD included. */
  routes(): LiveRoute[] {
    return [...this.methodsByUrl].flatMap(([url, methods]) => [...methods].map((method) => ({ method, url })));
  }

  /**
   * Methods that the path answers to, sorted, OPTIONS included; empty when there is no such path.
   *
   * @param path without query string, as sent; a trailing slash counts as none
   */
  allowedMethods(path: string): string[] {
    const decoded = decodePath(path);
    const allowed = new Set<string>();
    for (const { pattern, methods } of this.compiled()) {
      if (pattern.test(decoded)) for (const method of methods) allowed.add(method);
    }
    if (allowed.size > 0) allowed.add('OPTIONS');
    return [...allowed].sort();
  }

  /** Compiled on the first miss, when all routes are known; requests that meet a route never come here. */
  private compiled() {
    this.matchers ??= [...this.methodsByUrl].map(([url, methods]) => ({ pattern: patternOf(url), methods }));
    return this.matchers;
  }
}

/** Segments are compared one by one with fixed expressions: nothing in them can backtrack. */
function patternOf(url: string): RegExp {
  const trimmed = url.length > 1 && url.endsWith('/') ? url.slice(0, -1) : url;
  const source = trimmed
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment === '*' ? '.*' : segment.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}/?$`, 'su');
}

function decodePath(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
