export { countOf, type Measured, metricValue } from '@hubbub/tools/kit';
