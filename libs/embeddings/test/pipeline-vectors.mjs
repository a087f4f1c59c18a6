// Prints, as JSON, the vectors that transformers.js itself gives: the reference for our own tokenizer call, session and pooling.
// Arguments: the folder above the model folder, the model's name, then the texts.
import { env, pipeline } from '@xenova/transformers';

const [modelsFolder, model, ...texts] = process.argv.slice(2);
env.localModelPath = modelsFolder;
env.allowRemoteModels = false;
const extract = await pipeline('feature-extraction', model, { dtype: 'q8' });
const vectors = [];
for (const text of texts) vectors.push(Array.from((await extract(text, { pooling: 'mean', normalize: true })).data));
console.log(JSON.stringify(vectors));
