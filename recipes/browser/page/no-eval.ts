/** Imported first: zod would try whether it may compile schemas, which the page's security policy forbids and the console would tell. */
import { config } from "zod";

config({ jitless: true });
