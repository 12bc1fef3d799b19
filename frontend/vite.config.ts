import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** For `npm run dev`: where the API is, for instance the address that `python -m tests.lab info` prints. */
const api = process.env.HAPAIR_API ?? "https://127.0.0.1:8443";

export default defineConfig({
  plugins: [react()],
  build: {
    // Small files must not become data: addresses, which the Content-Security-Policy refuses for fonts.
    assetsInlineLimit: 0,
    // Styles reach the page as one file: PatternFly's component styles rely on their order.
    cssCodeSplit: false,
  },
  server: {
    // The help is a part of the documentation.
    fs: { allow: [".", "../docs"] },
    // A lab server's certificate is signed by its own authority.
    proxy: { "/api": { target: api, secure: false } },
  },
});
