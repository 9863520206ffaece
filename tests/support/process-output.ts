export { type LogLine, ProcessOutput } from '@hubbub/tools/kit';
