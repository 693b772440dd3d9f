/*
  Warnings:

  - Added the required column `stage` to the `Deal` table with a default value.

*/
-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_Deal" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "ownerId" INTEGER NOT NULL,
    "amount" REAL,
    "stage" TEXT NOT NULL DEFAULT 'lead',
    CONSTRAINT "Deal_ownerId_fkey" FOREIGN KEY ("ownerId") REFERENCES "User" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
INSERT INTO "new_Deal" ("amount", "id", "ownerId") SELECT "amount", "id", "ownerId" FROM "Deal";
DROP TABLE "Deal";
ALTER TABLE "new_Deal" RENAME TO "Deal";
CREATE INDEX "Deal_stage_idx" ON "Deal"("stage");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;
