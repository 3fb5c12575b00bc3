import type { EngineKind } from '../database.ts';

/** What a migration may differ in between the engines. */
export interface EngineWords {
  readonly kind: EngineKind;
  /** The column type of a row's own integer, never given twice. */
  readonly identity: string;
}

/** Numbered and append-only; expands the schema and never takes away what the previous release reads. */
export interface MigrationText {
  readonly name: string;
  statements(engine: EngineWords): readonly string[];
}
