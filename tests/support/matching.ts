export { describeMatch, type Match, matches } from '@hubbub/tools/kit';
