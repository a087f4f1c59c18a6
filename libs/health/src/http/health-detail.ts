import { DatabaseConfig, EmbeddingConfig, VectorStoreConfig } from '#config';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Where the dependencies are, and what runs here: for operators only. */
export interface HealthDetail {
  /** `null` = it is in this process. */
  readonly vectorStoreUrl: string | null;
  /** `null` = the embedded server. */
  readonly databaseUrl: string | null;
  readonly openAiUrl: string | null;
  readonly nodeVersion: string;
}

/** Decides who is told, and tells nothing that is a secret: user, password and query of an address stay out. */
@Injectable()
export class HealthDetails {
  private readonly detail: HealthDetail;

  constructor(vectorStore: VectorStoreConfig, database: DatabaseConfig, embedding: EmbeddingConfig) {
    this.detail = {
      vectorStoreUrl: plainUrl(vectorStore.qdrantUrl),
      databaseUrl: plainUrl(database.url),
      openAiUrl: embedding.provider === 'openai' ? plainUrl(embedding.openAi.baseUrl) : null,
      nodeVersion: process.version,
    };
  }

  /** `null` unless the caller may see it: scope `admin:read`, or a request from this machine while no keys are asked for. */
  for(request: FastifyRequest): HealthDetail | null {
    return request.caller?.scopes.has('admin:read') === true ? this.detail : null;
  }
}

/** Protocol, host, port and path. */
function plainUrl(text: string | null): string | null {
  if (text === null || !URL.canParse(text)) return null;
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
