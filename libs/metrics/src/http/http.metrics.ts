import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Gauge, Histogram } from 'prom-client';
import { MetricsRegistry } from '../metrics-registry.js';

/** Whoever invents methods or paths must not invent series. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const OTHER_METHOD = 'OTHER';
const NO_ROUTE = 'unmatched';
const BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SERVER_ERROR = 500;
const MS_PER_SECOND = 1_000;

/** Every request over HTTP, by its method and by the pattern of its route, never by the path that was sent. */
@Injectable()
export class HttpMetrics {
  private readonly durations: Histogram;
  private readonly errors: Counter;
  private readonly active: Gauge;

  constructor({ registry }: MetricsRegistry) {
    const registers = [registry];
    this.durations = new Histogram({
      name: 'kindred_http_request_duration_seconds',
      help: 'From the headers of a request to the end of its answer, by class of status; aborted = the client left before there was one',
      labelNames: ['method', 'endpoint', 'status'],
      buckets: BOUNDS_SECONDS,
      registers,
    });
    this.errors = new Counter({
      name: 'kindred_http_request_errors_total',
      help: 'Requests that were answered with a status of 500 or above',
      labelNames: ['method', 'endpoint'],
      registers,
    });
    this.active = new Gauge({
      name: 'kindred_http_active_requests',
      help: 'Requests that are being answered',
      labelNames: ['method', 'endpoint'],
      registers,
    });
  }

  /** Counts the request from now until its answer is sent, or its client has left. */
  watch(request: FastifyRequest, { raw }: FastifyReply): void {
    const startedMs = performance.now();
    const method = METHODS.has(request.method) ? request.method : OTHER_METHOD;
    const endpoint = request.is404 ? NO_ROUTE : (request.routeOptions.url ?? NO_ROUTE);
    this.active.inc({ method, endpoint });
    // The only event that comes whatever becomes of an answer.
    raw.once('close', () => {
      this.active.dec({ method, endpoint });
      const status = raw.headersSent ? `${Math.floor(raw.statusCode / 100)}xx` : 'aborted';
      this.durations.observe({ method, endpoint, status }, (performance.now() - startedMs) / MS_PER_SECOND);
      if (raw.headersSent && raw.statusCode >= SERVER_ERROR) this.errors.inc({ method, endpoint });
    });
  }
}
