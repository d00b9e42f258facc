import type { Endpoint } from "../../src/endpoint/endpoint.ts";

/** An endpoint that takes note of what is asked of it. */
export function watched(endpoint: Endpoint, asked: string[]): Endpoint {
  return new Proxy(endpoint, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        asked.push(String(name));
        return member.apply(target, args);
      };
    },
  });
}
