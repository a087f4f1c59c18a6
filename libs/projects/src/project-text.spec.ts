import { renderProjectText, type ProjectTextFields } from './project-text.js';

const KITCHEN: ProjectTextFields = {
  name: 'Oak kitchen',
  description: 'With an island',
  project_type: 'kitchen',
  wood_type: 'oak',
  region: 'Bavaria',
};

describe('renderProjectText', () => {
  it('puts name and terms before the description, whose end is what a full model cuts', () => {
    expect(renderProjectText(KITCHEN)).toBe('Oak kitchen. kitchen, oak, Bavaria. With an island');
  });

  it('leaves no trace of what is missing', () => {
    expect(renderProjectText({ ...KITCHEN, project_type: null, wood_type: ' ', region: null })).toBe('Oak kitchen. With an island');
  });

  it('gives one text for descriptions that differ in white space only', () => {
    expect(renderProjectText({ ...KITCHEN, description: '  With\n\n an\tisland ' })).toBe(renderProjectText(KITCHEN));
  });

  it.each(['name', 'description', 'project_type', 'wood_type', 'region'] as const)('changes with %s', (field) => {
    expect(renderProjectText({ ...KITCHEN, [field]: 'something else' })).not.toBe(renderProjectText(KITCHEN));
  });
});
