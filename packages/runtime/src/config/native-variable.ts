/** Settings of native code, which takes them from the environment of the process and from nowhere else. */

/** To be called before the code is loaded. @example setNativeVariable('UWS_HTTP_MAX_HEADERS_SIZE', '8192') */
export function setNativeVariable(name: string, value: string): void {
  process.env[name] = value;
}
