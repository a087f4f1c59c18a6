import { renderProjectText, type ProjectTextFields } from './project-text.js';

const KITCHEN: ProjectTextFields = {
  name: 'Oak kitchen',
  description: 'With an island',
  project_type: 'kitchen',
  wood_type: 'oak',
  region: 'Bavaria',
};

describe('renderProjectText', () => {
  it('puts the words of the craft first, and the description, whose end is what a full model cuts, last', () => {
    expect(renderProjectText(KITCHEN)).toBe('oak kitchen in Bavaria. Oak kitchen. With an island');
  });

  it('leaves no trace of what is missing', () => {
    expect(renderProjectText({ ...KITCHEN, project_type: null, wood_type: ' ', region: null })).toBe('Oak kitchen. With an island');
  });

  it.each([
    [{ wood_type: null }, 'kitchen in Bavaria'],
    [{ region: null }, 'oak kitchen'],
    [{ project_type: null }, 'oak in Bavaria'],
    [{ project_type: null, wood_type: null }, 'Bavaria'],
  ])('reads well without %j', (fields, phrase) => {
    expect(renderProjectText({ ...KITCHEN, ...fields })).toBe(`${phrase}. Oak kitchen. With an island`);
  });

  it('gives one text for descriptions that differ in white space only', () => {
    expect(renderProjectText({ ...KITCHEN, description: '  With\n\n an\tisland ' })).toBe(renderProjectText(KITCHEN));
  });

  it.each(['name', 'description', 'project_type', 'wood_type', 'region'] as const)('changes with %s', (field) => {
    expect(renderProjectText({ ...KITCHEN, [field]: 'something else' })).not.toBe(renderProjectText(KITCHEN));
  });
});
