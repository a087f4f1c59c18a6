/** What a client writes: everything but what PostgreSQL decides. snake_case, because it is the JSON of the API and the row alike. */
export interface ProjectFields {
  readonly name: string;
  readonly description: string;
  /** For example `kitchen`. */
  readonly project_type: string | null;
  /** For example `Bavaria`. */
  readonly region: string | null;
  /** For example `oak`. */
  readonly wood_type: string | null;
  /** Square metres, at most 2 decimals. */
  readonly total_area_sqm: number | null;
  /** 1 (simple) to 5. */
  readonly complexity: number | null;
  /** In `currency`, at most 2 decimals. */
  readonly final_price: number | null;
  /** ISO 4217, for example `EUR`. */
  readonly currency: string;
  /** `YYYY-MM-DD`. */
  readonly completed_on: string | null;
  /** The id that another system has given to the project; unique. */
  readonly external_id: string | null;
}

/** A row of `projects`. */
export interface Project extends ProjectFields {
  /** A UUID in lower case. */
  readonly id: string;
  /** Grows by one with every update; the ETag is `"v<version>"`. */
  readonly version: number;
  /** RFC 3339 in UTC with microseconds, so that no digit that PostgreSQL sorts by is lost. */
  readonly created_at: string;
  readonly updated_at: string;
}

/** A merge patch (RFC 7396): absent = unchanged, `null` = cleared (currency: the default). */
export type ProjectPatch = Partial<ProjectFields>;

/** Name of the source: argument of the capture triggers and `index_generations.source`. */
export const PROJECT_SOURCE = 'projects';
