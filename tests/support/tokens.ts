export { signToken, TEST_JWT_SECRET, type TokenRequest } from '@hubbub/tools/kit';
