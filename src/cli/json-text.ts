export { toJsonText } from '../report/json-text.ts';
