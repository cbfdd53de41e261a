//! The time that everything written to a FAT filesystem gets.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use fatfs::{Date, DateTime, Time, TimeProvider};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The first and last seconds that FAT can tell, 1980 to 2107, in UTC.
const FIRST: u64 = 315_532_800;
const LAST: u64 = 4_354_819_198;

/// A clock that stands still.
#[derive(Debug)]
pub(super) struct Clock {
    now: DateTime,
}

impl Clock {
    /// The clock that stands at `epoch`, in seconds since 1970, in UTC and
    /// within what FAT can tell. FAT has no time zones, and seconds go in
    /// twos.
    ///
    /// `fatfs` wants its clock to live forever, so each time asked for is kept
    /// once; a process has one or two.
    pub(super) fn at(epoch: u64) -> &'static Self {
        static CLOCKS: LazyLock<Mutex<BTreeMap<u64, &'static Clock>>> =
            LazyLock::new(Mutex::default);
        let epoch = epoch.clamp(FIRST, LAST) & !1;
        CLOCKS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(epoch)
            .or_insert_with(|| Box::leak(Box::new(Self { now: to_fat(epoch) })))
    }
}

impl TimeProvider for Clock {
    fn get_current_date(&self) -> Date {
        self.now.date
    }

    fn get_current_date_time(&self) -> DateTime {
        self.now
    }
}

fn to_fat(epoch: u64) -> DateTime {
    // Within the bounds above nothing can overflow, nor a part be negative.
    let at = Timestamp::from_second(epoch as i64).unwrap_or(Timestamp::UNIX_EPOCH);
    let civil = at.to_zoned(TimeZone::UTC).datetime();
    DateTime {
        date: Date {
            year: civil.year() as u16,
            month: civil.month() as u16,
            day: civil.day() as u16,
        },
        time: Time {
            hour: civil.hour() as u16,
            min: civil.minute() as u16,
            sec: civil.second() as u16,
            millis: 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(epoch: u64) -> (u16, u16, u16, u16, u16, u16) {
        let now = Clock::at(epoch).get_current_date_time();
        let (date, time) = (now.date, now.time);
        (
            date.year, date.month, date.day, time.hour, time.min, time.sec,
        )
    }

    #[test]
    fn tells_utc_in_twos_within_bounds() {
        assert_eq!(told(1_700_000_001), (2023, 11, 14, 22, 13, 20));
        assert_eq!(told(0), (1980, 1, 1, 0, 0, 0));
        assert_eq!(told(u64::MAX), (2107, 12, 31, 23, 59, 58));
        assert_eq!(Clock::at(1_709_210_096).get_current_date().day, 29);
    }
}
