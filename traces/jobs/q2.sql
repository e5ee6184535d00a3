PRAGMA cache_size=-20000; CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, email TEXT, city INT, amount REAL, note TEXT);
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<25000) INSERT INTO t SELECT x,'user'||(x*7919%100003),'u'||x||'@example.com',x*31%997,(x*104729%1000003)/100.0,'order note '||hex(randomblob(8)) FROM c;
CREATE INDEX i1 ON t(city); CREATE INDEX i2 ON t(name);
SELECT city,count(*),sum(amount) FROM t GROUP BY city ORDER BY 3 DESC LIMIT 3;
SELECT count(*) FROM t a JOIN t b ON a.name=b.name AND a.id<b.id;
UPDATE t SET amount=amount*1.1 WHERE city<200;
DELETE FROM t WHERE id%17=0;
SELECT sum(length(note)) FROM t WHERE name>'user5';
