import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface SeedProject {
  readonly external_id: string;
  readonly name: string;
  readonly description: string;
  readonly project_type: string;
  readonly region: string;
  readonly wood_type: string;
  readonly total_area_sqm: number;
  readonly complexity: number;
  readonly final_price: number;
  readonly currency: string;
  readonly completed_on: string;
}

const FIELDS = [
  'external_id',
  'name',
  'description',
  'project_type',
  'region',
  'wood_type',
  'total_area_sqm',
  'complexity',
  'final_price',
  'currency',
  'completed_on',
];
const TYPES = ['kitchen', 'stairs', 'windows', 'roof', 'floor', 'furniture', 'door', 'terrace', 'timber-frame'];

/** The rule of seed/README.md without its noise: base and rate per type in EUR, then factors. */
const BASE_AND_RATE: Record<string, readonly [number, number]> = {
  kitchen: [3500, 420],
  stairs: [1800, 620],
  windows: [600, 780],
  roof: [4000, 210],
  floor: [300, 105],
  furniture: [700, 560],
  door: [500, 900],
  terrace: [800, 190],
  'timber-frame': [9000, 640],
};
const COMPLEXITY = [0.75, 0.87, 1, 1.18, 1.42];
const WOOD: Record<string, number> = {
  spruce: 0.85,
  pine: 0.85,
  'douglas fir': 0.95,
  beech: 0.97,
  larch: 1,
  ash: 1.05,
  maple: 1.1,
  oak: 1.12,
  cherry: 1.2,
  walnut: 1.4,
};
const REGION: Record<string, number> = {
  Thuringia: 0.88,
  Saxony: 0.9,
  Harz: 0.92,
  'Lower Saxony': 0.95,
  Styria: 0.96,
  Franconia: 0.97,
  'Schleswig-Holstein': 0.98,
  'Black Forest': 1,
  Rhineland: 1,
  Swabia: 1.01,
  Hesse: 1.02,
  Bavaria: 1.05,
  Berlin: 1.06,
  Salzburg: 1.07,
  Tyrol: 1.08,
  'South Tyrol': 1.09,
  Hamburg: 1.1,
  Vorarlberg: 1.12,
};

/** Words that are frequent in one of the two languages and are no words of the other. */
const GERMAN = /\b(der|die|das|und|mit|ein|eine|auf|aus|für|im|den|wurde|wurden)\b/giu;
const ENGLISH = /\b(the|and|with|a|of|to|for|was|were|is|that|from|by)\b/giu;

const projects = JSON.parse(readFileSync(fileURLToPath(new URL('../../../seed/projects.json', import.meta.url)), 'utf8')) as SeedProject[];

function languageOf(text: string): 'de' | 'en' {
  const german = (text.match(GERMAN) ?? []).length + (text.match(/[äöüß]/gu) ?? []).length;
  const english = (text.match(ENGLISH) ?? []).length;
  return german > english ? 'de' : 'en';
}

function priceOfRule(project: SeedProject): number {
  const [base, rate] = BASE_AND_RATE[project.project_type] ?? [NaN, NaN];
  const factor = (COMPLEXITY[project.complexity - 1] ?? NaN) * (WOOD[project.wood_type] ?? NaN) * (REGION[project.region] ?? NaN);
  return base + rate * project.total_area_sqm * factor;
}

/** Ranks from 1; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

/** Spearman's rho: the linear correlation of the ranks. */
function rankCorrelation(left: readonly number[], right: readonly number[]): number {
  const [a, b] = [ranksOf(left), ranksOf(right)];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((value, index) => (value - meanA) * ((b[index] ?? NaN) - meanB)));
  const deviation = (values: readonly number[], centre: number) => Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
  return covariance / (deviation(a, meanA) * deviation(b, meanB));
}

describe('seed/projects.json', () => {
  it('holds at least 120 projects, ten or more of each type', () => {
    expect(projects.length).toBeGreaterThanOrEqual(120);
    for (const type of TYPES) {
      expect([type, projects.filter((project) => project.project_type === type).length >= 10]).toEqual([type, true]);
    }
    expect(new Set(projects.map((project) => project.project_type))).toEqual(new Set(TYPES));
  });

  it('numbers the projects without gaps and repeats no name and no description', () => {
    expect(projects.map((project) => project.external_id)).toEqual(
      projects.map((_, index) => `SEED-${String(index + 1).padStart(4, '0')}`),
    );
    expect(new Set(projects.map((project) => project.name)).size).toBe(projects.length);
    expect(new Set(projects.map((project) => project.description)).size).toBe(projects.length);
  });

  it.each(projects.map((project) => [project.external_id, project] as const))('%s is a row that the API accepts', (_id, project) => {
    expect(Object.keys(project)).toEqual(FIELDS);
    for (const text of [project.name, project.description]) {
      expect(text.trim()).toBe(text);
      expect(text.length).toBeGreaterThan(5);
      expect(text.isWellFormed()).toBe(true);
      expect(text).not.toContain('\u0000');
    }
    for (const value of [project.project_type, project.region, project.wood_type]) expect(value).toMatch(/^[\p{L}\p{N} \-_./&+]+$/u);
    expect(Number.isInteger(project.complexity) && project.complexity >= 1 && project.complexity <= 5).toBe(true);
    for (const amount of [project.total_area_sqm, project.final_price]) {
      expect(amount).toBeGreaterThan(0);
      expect(Number(amount.toFixed(2))).toBe(amount);
    }
    expect(project.total_area_sqm).toBeLessThan(1e8);
    expect(project.final_price).toBeLessThan(1e12);
    expect(project.currency).toBe('EUR');
    expect(new Date(`${project.completed_on}T00:00:00Z`).toISOString().slice(0, 10)).toBe(project.completed_on);
  });

  it('is about half German and half English, within every type as well', () => {
    const german = projects.filter((project) => languageOf(`${project.name}. ${project.description}`) === 'de');
    expect(german.length / projects.length).toBeGreaterThan(0.4);
    expect(german.length / projects.length).toBeLessThan(0.6);
    for (const type of TYPES) {
      const count = german.filter((project) => project.project_type === type).length;
      expect([type, count >= 4]).toEqual([type, true]);
    }
  });

  it.each(TYPES)('prices of %s rank like the rule of the README, but are not the rule itself', (type) => {
    const ofType = projects.filter((project) => project.project_type === type);
    const expected = ofType.map(priceOfRule);
    const actual = ofType.map((project) => project.final_price);
    expect(expected.every(Number.isFinite)).toBe(true);
    expect(rankCorrelation(expected, actual)).toBeGreaterThan(0.7);
    const deviations = actual.map((price, index) => Math.abs(price / (expected[index] ?? NaN) - 1));
    expect(Math.max(...deviations)).toBeGreaterThan(0.03);
    expect(Math.max(...deviations)).toBeLessThan(0.35);
  });
});
