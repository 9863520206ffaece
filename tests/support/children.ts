export { adopt, keepChildren } from '@hubbub/tools/kit';
